"""What knows nothing of networks or photos: the cache, the network, the machine, tables, pictures, bars."""
