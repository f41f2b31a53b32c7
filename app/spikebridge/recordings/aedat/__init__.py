"""AEDAT 2.0, 3.1 and 4: the formats of jAER, cAER and DV."""
