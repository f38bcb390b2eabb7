"""Written stamps → numbers: their forms, orders, zones; what people write dates in."""
