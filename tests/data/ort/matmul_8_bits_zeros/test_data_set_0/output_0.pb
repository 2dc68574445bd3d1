JHëˆB
žC’QgÃjªëÀ}@CÍ‘CÙùÁO90C®iÃU¶ÕÀã¯A|ÔÃA‘^Â˜uB.ÕMÃYEÁ×ÈB¯CTC