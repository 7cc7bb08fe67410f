package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The live database that a table is recovered into.
public final class TargetDatabase {
    private static final int WITH_NUMBER = 10_000;
    private static final String APPLICATION = "mainstay recover";

    private final ConnectionSpec login;
    private final String url;

    /// @param url as it was given
    /// @param login what it says, with what the environment adds
    public TargetDatabase(String url, ConnectionSpec login) {
        this.login = login;
        this.url = withoutPassword(url);
    }

    ConnectionSpec login() {
        return login;
    }

    Connection connect() {
        return SqlSession.openSql(login, APPLICATION);
    }

    /// Demands that a table could be made there.
    ///
    /// @param major version of the source
    /// @throws MainstayException RECOVER_SERVER_OLDER, RECOVER_TABLE_EXISTS, or what keeps us out
    public void demandRoom(QualifiedName table, int major) {
        try (Connection connection = connect()) {
            Sql sql = new Sql(connection);
            int version =
                    Integer.parseInt(
                                    sql.text("SELECT current_setting('server_version_num')")
                                            .orElseThrow())
                            / WITH_NUMBER;
            if (version < major) {
                throw new MainstayException(
                        ErrorCode.RECOVER_SERVER_OLDER,
                        login
                                + " is PostgreSQL "
                                + version
                                + ", and the table comes from "
                                + major);
            }
            if (isTaken(sql, table)) {
                throw new MainstayException(
                        ErrorCode.RECOVER_TABLE_EXISTS, table + " exists in " + login);
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("looking at " + login, failed);
        }
    }

    /// By a relation or a type: a table needs both names.
    static boolean isTaken(Sql sql, QualifiedName name) throws SQLException {
        return sql.isTrue(
                "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid ="
                        + " c.relnamespace WHERE n.nspname = ? AND c.relname = ?) OR EXISTS (SELECT"
                        + " FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE"
                        + " n.nspname = ? AND t.typname = ? AND t.typelem = 0)",
                name.schema(),
                name.name(),
                name.schema(),
                name.name());
    }

    /// For `pg_restore -d`, without the password.
    String url() {
        return url;
    }

    /// What else `pg_restore` needs to log in.
    Map<String, String> variables() {
        Map<String, String> variables = new LinkedHashMap<>();
        String password =
                login.jdbcProperties(login.hosts().getFirst()).getProperty("password", "");
        if (!password.isEmpty()) {
            variables.put("PGPASSWORD", password);
        }
        variables.put("PGAPPNAME", APPLICATION);
        variables.put("PGUSER", login.user());
        variables.put("PGDATABASE", login.database());
        return variables;
    }

    static String withoutPassword(String url) {
        int query = url.indexOf('?');
        String place = query < 0 ? url : url.substring(0, query);
        int begin = place.indexOf("//") + 2;
        int at = place.lastIndexOf('@');
        int colon = place.indexOf(':', begin);
        if (begin > 1 && colon > 0 && colon < at) {
            place = place.substring(0, colon) + place.substring(at);
        }
        if (query < 0) {
            return place;
        }
        List<String> parameters =
                List.of(url.substring(query + 1).split("&", -1)).stream()
                        .filter(each -> !each.startsWith("password="))
                        .toList();
        return parameters.isEmpty() ? place : place + "?" + String.join("&", parameters);
    }

    @Override
    public String toString() {
        return login.toString();
    }
}
