Breducesum_7:0J@íyŠ@³OC@
@tÚk@*×ò?³'@P6…@„Ÿ@X„@ÖeA@¾0@İZ@©p'@pÊE@iØJ@Ø³@