"""How good a bundle is: labelled clips through the whole chain, and what is said of them in words and pictures."""
