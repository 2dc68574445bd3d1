BTensorScatterMaxJTù
c¾a?ma“>må4?”1@Eñ?"÷g¿¶û¿š%ç¾Ã´¿ù™¿Ó¿ÓÊ?jiB?;A?Gj¯>üä¿táX¿¼£A¿"FŠ?¸–?