package dev.mainstay.testkit;

import dev.mainstay.testkit.ContentDigest.SequenceState;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// The queries of [ContentDigest].
final class ContentReader {
    /// Names and definitions only: no object ids, no files, no statistics.
    private static final Map<String, String> SHARED = new LinkedHashMap<>();

    private static final Map<String, String> CATALOGS = new LinkedHashMap<>();

    private static final String USER_SCHEMA =
            " nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE"
                    + " 'pg\\_temp%' AND nspname NOT LIKE 'pg\\_toast\\_temp%' ";

    static {
        SHARED.put(
                "roles",
                """
                SELECT concat_ws('|', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb,
                  rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolpassword,
                  rolvaliduntil) FROM pg_authid
                """);
        SHARED.put(
                "role memberships",
                """
                SELECT concat_ws('|', roleid::regrole, member::regrole, admin_option)
                FROM pg_auth_members
                """);
        SHARED.put(
                "settings of roles and databases",
                """
                SELECT concat_ws('|', datname, rolname, setconfig) FROM pg_db_role_setting s
                LEFT JOIN pg_database d ON d.oid = setdatabase
                LEFT JOIN pg_roles r ON r.oid = setrole
                """);
        SHARED.put(
                "databases",
                """
                SELECT concat_ws('|', datname, datdba::regrole, pg_encoding_to_char(encoding),
                  datcollate, datctype, datistemplate, datallowconn, datconnlimit, spcname, datacl)
                FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace
                """);
        SHARED.put(
                "tablespaces",
                "SELECT concat_ws('|', spcname, spcowner::regrole, spcacl, spcoptions)"
                        + " FROM pg_tablespace");
        SHARED.put(
                "prepared transactions",
                "SELECT concat_ws('|', gid, owner, database) FROM pg_prepared_xacts");
        CATALOGS.put(
                "schemas",
                "SELECT concat_ws('|', nspname, nspowner::regrole, nspacl) FROM pg_namespace"
                        + " WHERE"
                        + USER_SCHEMA);
        CATALOGS.put(
                "relations",
                """
                SELECT concat_ws('|', c.oid::regclass, relkind, relpersistence, relowner::regrole,
                  amname, spcname, reloptions, relacl, relispopulated, relrowsecurity, relreplident,
                  pg_get_expr(relpartbound, c.oid),
                  CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
                FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                LEFT JOIN pg_am a ON a.oid = relam
                LEFT JOIN pg_tablespace t ON t.oid = reltablespace
                WHERE
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "columns",
                """
                SELECT concat_ws('|', c.oid::regclass, attnum, attname,
                  format_type(atttypid, atttypmod), attnotnull, attisdropped, attidentity,
                  attgenerated, attstorage, attcompression, attcollation, attacl, attoptions,
                  pg_get_expr(adbin, adrelid))
                FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
                JOIN pg_namespace n ON n.oid = relnamespace
                LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
                WHERE attnum > 0 AND
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "constraints",
                """
                SELECT concat_ws('|', conrelid::regclass, contypid::regtype, conname, convalidated,
                  pg_get_constraintdef(k.oid))
                FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace WHERE
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "indexes",
                """
                SELECT concat_ws('|', pg_get_indexdef(indexrelid), indisvalid, indisready,
                  indisclustered, indisreplident)
                FROM pg_index JOIN pg_class c ON c.oid = indexrelid
                JOIN pg_namespace n ON n.oid = relnamespace WHERE
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "functions",
                """
                SELECT concat_ws('|', p.oid::regprocedure, proowner::regrole, prokind, proacl,
                  CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END)
                FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "types",
                """
                SELECT concat_ws('|', t.oid::regtype, typtype, typowner::regrole, typnotnull,
                  typdefault, format_type(typbasetype, typtypmod),
                  (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum
                   WHERE enumtypid = t.oid))
                FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE
                """
                        + USER_SCHEMA);
        CATALOGS.put(
                "triggers",
                "SELECT concat_ws('|', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger"
                        + " WHERE NOT tgisinternal");
        CATALOGS.put(
                "rules and policies",
                """
                SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r
                JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
                WHERE relkind NOT IN ('v', 'm') AND rulename <> '_RETURN' AND
                """
                        + USER_SCHEMA
                        + """
                        UNION ALL SELECT concat_ws('|', polrelid::regclass, polname, polcmd,
                          polpermissive, pg_get_expr(polqual, polrelid),
                          pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
                        """);
        CATALOGS.put(
                "extensions, languages, publications",
                """
                SELECT concat_ws('|', extname, extversion) FROM pg_extension
                UNION ALL SELECT lanname::text FROM pg_language
                UNION ALL SELECT concat_ws('|', pubname, puballtables) FROM pg_publication
                """);
        CATALOGS.put(
                "comments",
                "SELECT concat_ws('|', classoid::regclass, objoid, objsubid, description)"
                        + " FROM pg_description WHERE objoid >= 16384");
        CATALOGS.put(
                "large objects",
                """
                SELECT concat_ws('|', oid, lomowner::regrole, lomacl,
                  encode(sha256(lo_get(oid)), 'hex')) FROM pg_largeobject_metadata
                """);
    }

    private ContentReader() {}

    static void shared(TestCluster cluster, SortedMap<String, List<String>> parts)
            throws SQLException {
        try (Connection connection = snapshot(cluster, "postgres")) {
            for (Map.Entry<String, String> query : SHARED.entrySet()) {
                parts.put(query.getKey(), sorted(connection, query.getValue()));
            }
        }
    }

    static void database(
            TestCluster cluster,
            String database,
            SortedMap<String, List<String>> parts,
            SortedMap<String, SequenceState> sequences)
            throws SQLException {
        try (Connection connection = snapshot(cluster, database)) {
            for (Map.Entry<String, String> query : CATALOGS.entrySet()) {
                parts.put(database + ": " + query.getKey(), sorted(connection, query.getValue()));
            }
            for (String table : relations(connection, "'r', 'm'")) {
                parts.put(database + ": rows of " + table, List.of(rows(connection, table)));
            }
            for (String sequence : relations(connection, "'S'")) {
                sequences.put(database + ": sequence " + sequence, sequence(connection, sequence));
            }
        }
    }

    /// Everything is printed in one way, whatever the cluster's settings; a lock that somebody
    /// holds becomes an error instead of a hang.
    private static Connection snapshot(TestCluster cluster, String database) throws SQLException {
        Connection connection = cluster.connect(database);
        try (Statement statement = connection.createStatement()) {
            for (String setting :
                    List.of(
                            "search_path = pg_catalog",
                            "timezone = 'UTC'",
                            "datestyle = ISO",
                            "intervalstyle = postgres",
                            "bytea_output = hex",
                            "extra_float_digits = 3",
                            "xmloption = content",
                            "row_security = off",
                            "lock_timeout = '30s'")) {
                statement.execute("SET " + setting);
            }
        }
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        return connection;
    }

    private static List<String> relations(Connection connection, String kinds) throws SQLException {
        return sorted(
                connection,
                "SELECT format('%I.%I', nspname, relname) FROM pg_class c"
                        + " JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ("
                        + kinds
                        + ") AND relpersistence = 'p' AND relispopulated AND"
                        + USER_SCHEMA);
    }

    /// A sum instead of a sort keeps big tables quick; two equal sums of 64-bit halves of SHA-256
    /// over different rows do not happen by accident.
    private static String rows(Connection connection, String table) throws SQLException {
        String half = "('x' || encode(substr(h, %d, 8), 'hex'))::bit(64)::bigint::numeric";
        return sorted(
                        connection,
                        "SELECT concat_ws('|', count(*) || ' rows', sum("
                                + half.formatted(1)
                                + "), sum("
                                + half.formatted(9)
                                + ")) FROM (SELECT sha256(convert_to(\"a whole row\"::text,"
                                + " 'UTF8')) AS h FROM ONLY "
                                + table
                                + " AS \"a whole row\") AS hashed")
                .getFirst();
    }

    private static SequenceState sequence(Connection connection, String sequence)
            throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result =
                        statement.executeQuery(
                                "SELECT last_value, is_called, log_cnt, (SELECT seqincrement FROM"
                                        + " pg_sequence WHERE seqrelid = '"
                                        + sequence.replace("'", "''")
                                        + "'::regclass) FROM "
                                        + sequence)) {
            result.next();
            return new SequenceState(
                    result.getLong(1), result.getBoolean(2), result.getLong(3), result.getLong(4));
        }
    }

    private static List<String> sorted(Connection connection, String query) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            while (result.next()) {
                rows.add(String.valueOf(result.getString(1)));
            }
        } catch (SQLException e) {
            throw new SQLException(e.getMessage() + " in " + query, e.getSQLState(), e);
        }
        rows.sort(null);
        return rows;
    }
}
