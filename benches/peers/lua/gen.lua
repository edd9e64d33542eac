local a for n=1,N do local g=coroutine.wrap(function() for i=0,999999 do coroutine.yield(i) end end)
a=0 for v in g do a=a+v end end print(string.format("%d",a))
