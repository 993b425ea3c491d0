"""What the tests share: plain modules, with no tests in them."""
