	BIsFiniteJ
