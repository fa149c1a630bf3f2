-- What a reader would see in a table: how many rows, and a digest that does not depend on their order.
SELECT toString(count()) AS rows, toString(sum(sipHash64(/*columns*/))) AS digest FROM /*table*/
