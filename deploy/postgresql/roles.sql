-- Who may do what. Run by a superuser inside the database that holds the store, which belongs to Liaison alone; running it
-- again does no harm. Plain SQL, no psql commands, so that operators and operators' operators can run it alike.
--
--   liaison_owner   makes and changes the tables:  liaison --store postgresql://liaison_owner@…/liaison store migrate
--   liaison_bot     what `liaison serve` connects as: reads and writes rows, nothing else
--
-- Passwords are set elsewhere (\password, post_init, an operator), so that none stands here.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'liaison_owner') THEN
    CREATE ROLE liaison_owner;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'liaison_bot') THEN
    CREATE ROLE liaison_bot;
  END IF;
END
$$;

ALTER ROLE liaison_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 10;
ALTER ROLE liaison_bot LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 100;

-- Nobody else comes in, and nobody makes anything outside the schema.
CREATE SCHEMA IF NOT EXISTS liaison AUTHORIZATION liaison_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA liaison FROM PUBLIC;
GRANT USAGE ON SCHEMA liaison TO liaison_bot;

DO $$
DECLARE
  here CONSTANT name := pg_catalog.current_database();
  setting text;
BEGIN
  EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', here);
  EXECUTE pg_catalog.format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO liaison_owner, liaison_bot', here);
  EXECUTE pg_catalog.format('ALTER ROLE liaison_owner IN DATABASE %I SET search_path = liaison', here);
  -- The bot sets shorter ones itself; these hold for whatever else comes in by its name.
  FOREACH setting IN ARRAY ARRAY[
    'search_path = liaison',
    'statement_timeout = ''60s''',
    'lock_timeout = ''20s''',
    'idle_in_transaction_session_timeout = ''60s''',
    'temp_file_limit = ''4GB'''
  ] LOOP
    EXECUTE pg_catalog.format('ALTER ROLE liaison_bot IN DATABASE %I SET %s', here, setting);
  END LOOP;
END
$$;

-- What is there, and what later migrations make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA liaison TO liaison_bot;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA liaison TO liaison_bot;
ALTER DEFAULT PRIVILEGES FOR ROLE liaison_owner IN SCHEMA liaison
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO liaison_bot;
ALTER DEFAULT PRIVILEGES FOR ROLE liaison_owner IN SCHEMA liaison GRANT USAGE ON SEQUENCES TO liaison_bot;
ALTER DEFAULT PRIVILEGES FOR ROLE liaison_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;

-- Statistics after a large import: from PostgreSQL 17 on that can be granted by itself; before, autovacuum does it.
DO $$
BEGIN
  IF pg_catalog.current_setting('server_version_num')::integer >= 170000 THEN
    EXECUTE 'GRANT MAINTAIN ON ALL TABLES IN SCHEMA liaison TO liaison_bot';
    EXECUTE 'ALTER DEFAULT PRIVILEGES FOR ROLE liaison_owner IN SCHEMA liaison GRANT MAINTAIN ON TABLES TO liaison_bot';
  END IF;
END
$$;
