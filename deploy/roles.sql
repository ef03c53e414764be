-- A role for the download backend: it reads, and changes nothing. Run this once, with psql 15 or newer, as the owner of
-- the database. The environment has BACKEND_PASSWORD.
\set ON_ERROR_STOP on
\getenv password BACKEND_PASSWORD
CREATE ROLE backend LOGIN PASSWORD :'password';
GRANT USAGE ON SCHEMA public TO backend;
-- Tables that exist, and those that `keyfront shop migrate` makes as this owner.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO backend;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO backend;
