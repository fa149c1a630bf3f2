CREATE TABLE /*staging*/./*table*/ AS /*table*/
