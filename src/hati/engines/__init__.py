"""One file per engine, one short rule per layer kind in each."""
