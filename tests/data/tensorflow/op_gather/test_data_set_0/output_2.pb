BGatherV2_columnsJ8maì>˘
cæEÒ?mÂ4?ö%Áæ"˜gøç”ø√¥ø°Û[ø” ?t·XøGjØ>Å∏ñ?º£Aø