"""Users who arrive on their own schedule: arrivals, the client, what it records, and what is worked out from that."""
