-- Run once by the image, as the superuser, in the database POSTGRES_DB while its volume is still empty.
-- By hand: psql 14 or newer, as a superuser, connected to the database, with the four variables exported.
--
-- The owner makes the schema and is no superuser. The three other roles are made here with their login, so that the
-- first migration finds them and only grants. No password is on a command line: psql reads them from its environment.
\set ON_ERROR_STOP on
\getenv owner_password REVENUEFLOW_OWNER_PASSWORD
\getenv app_password REVENUEFLOW_APP_PASSWORD
\getenv sealer_password REVENUEFLOW_SEALER_PASSWORD
\getenv auditor_password REVENUEFLOW_AUDITOR_PASSWORD

-- Statements that hold a password must not reach the server's log when one of them fails.
SET log_min_error_statement = panic;
SET log_statement = none;

CREATE ROLE revenueflow_owner LOGIN CREATEROLE NOSUPERUSER NOCREATEDB PASSWORD :'owner_password';
CREATE ROLE revenueflow_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE ROLE revenueflow_sealer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'sealer_password';
CREATE ROLE revenueflow_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'auditor_password';

-- The owner of the database also owns its schema `public`, so migrations need nothing else.
ALTER DATABASE :"DBNAME" OWNER TO revenueflow_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO revenueflow_app, revenueflow_sealer, revenueflow_auditor;

CREATE EXTENSION IF NOT EXISTS vector;
