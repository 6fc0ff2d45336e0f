-- The two roles of the function, for the administrator of the database to run once, in the database that holds the tables:
--
--   rowstamp_migrations owns the tables and changes them;
--   rowstamp_function reads and writes rows, and can do nothing else.
--
-- Both log in with IAM tokens and have no password. Running it again does no harm. It is one transaction: wholly or not at all.
BEGIN;

DO $$
BEGIN
  IF to_regrole('rowstamp_migrations') IS NULL THEN
    CREATE ROLE rowstamp_migrations LOGIN;
  END IF;
  IF to_regrole('rowstamp_function') IS NULL THEN
    CREATE ROLE rowstamp_function LOGIN;
  END IF;
  -- For definitions with schemas of their own: table = "schema.name".
  EXECUTE format('GRANT CREATE ON DATABASE %I TO rowstamp_migrations', current_database());
END
$$;

GRANT USAGE, CREATE ON SCHEMA public TO rowstamp_migrations;
GRANT USAGE ON SCHEMA public TO rowstamp_function;

-- What a role will create can be granted by its members only. The membership ends before the commit: a member of a role that
-- logs in by IAM must do so too, which would lock the administrator out.
GRANT rowstamp_migrations TO CURRENT_USER;
ALTER DEFAULT PRIVILEGES FOR ROLE rowstamp_migrations
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO rowstamp_function;
ALTER DEFAULT PRIVILEGES FOR ROLE rowstamp_migrations
  GRANT USAGE, SELECT ON SEQUENCES TO rowstamp_function;
ALTER DEFAULT PRIVILEGES FOR ROLE rowstamp_migrations
  GRANT USAGE ON SCHEMAS TO rowstamp_function;
REVOKE rowstamp_migrations FROM CURRENT_USER;

GRANT rds_iam TO rowstamp_migrations, rowstamp_function;

COMMIT;
