"""What an honest party does: facts in, acts out. Pure, so that every act can be replayed and argued about."""
