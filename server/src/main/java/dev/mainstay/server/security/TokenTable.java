package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The tokens of the API, of which the database holds digests.
public final class TokenTable {
    /// What every token begins with.
    static final String PREFIX = "mst_";

    private static final int BYTES = 32;

    private final JdbcClient jdbc;
    private final Ground ground;

    public TokenTable(JdbcClient jdbc, Ground ground) {
        this.jdbc = jdbc;
        this.ground = ground;
    }

    /// A token and, for once, its text.
    public record Issued(ApiToken token, Secret text) {}

    /// A token that nobody asked for: whoever has this host has it.
    public Issued issue(
            String name, Role role, Optional<Instant> expires, Optional<Set<String>> sources) {
        return issue(name, role, expires, sources, Set.of());
    }

    /// @param sources what it is for; empty: all sources and the whole repository
    /// @param maker who asks for it
    public Issued issue(
            String name,
            Role role,
            Optional<Instant> expires,
            Optional<Set<String>> sources,
            Persons maker) {
        return issue(name, role, expires, sources, maker.all());
    }

    private Issued issue(
            String name,
            Role role,
            Optional<Instant> expires,
            Optional<Set<String>> sources,
            Set<String> makers) {
        String text =
                PREFIX
                        + Base64.getUrlEncoder()
                                .withoutPadding()
                                .encodeToString(ground.randomBytes(BYTES));
        ApiToken token =
                new ApiToken(
                        HexFormat.of().formatHex(ground.randomBytes(6)),
                        name,
                        role,
                        ground.clock().instant(),
                        expires,
                        sources,
                        makers);
        jdbc.sql(
                        """
                        insert into api_token
                          (id, name, role, digest, created_at, expires_at, sources, made_by)
                        values (:id, :name, :role, :digest, :created, :expires, :sources, :makers)
                        """)
                .param("id", token.id())
                .param("name", name)
                .param("role", role.word())
                .param("digest", digest(text))
                .param("created", SqlTime.of(token.created()))
                .param("expires", expires.map(SqlTime::of).orElse(null))
                .param(
                        "sources",
                        sources.map(each -> String.join("\n", each.stream().sorted().toList()))
                                .orElse(null))
                .param("makers", JsonMap.write(new Persons(Set.of(), makers).map()))
                .update();
        return new Issued(token, Secret.of(text));
    }

    /// The first token of all, for who starts the first server.
    public Optional<Issued> issueFirst() {
        long tokens = jdbc.sql("select count(*) from api_token").query(Long.class).single();
        return tokens > 0
                ? Optional.empty()
                : Optional.of(issue("first", Role.ADMINISTRATOR, Optional.empty(), Optional.empty()));
    }

    /// The token with this text, unless it has expired.
    public Optional<ApiToken> find(String text) {
        Instant now = ground.clock().instant();
        return jdbc.sql("select * from api_token where digest = :digest")
                .param("digest", digest(text))
                .query(TokenTable::read)
                .optional()
                .filter(token -> token.expires().filter(end -> !end.isAfter(now)).isEmpty());
    }

    public List<ApiToken> list() {
        return jdbc.sql("select * from api_token order by created_at, id")
                .query(TokenTable::read)
                .list();
    }

    /// @throws MainstayException TOKEN_UNKNOWN
    public void revoke(String id) {
        if (jdbc.sql("delete from api_token where id = :id").param("id", id).update() == 0) {
            throw new MainstayException(ErrorCode.TOKEN_UNKNOWN, "there is no token " + id);
        }
    }

    private static ApiToken read(ResultSet row, int number) throws SQLException {
        return new ApiToken(
                row.getString("id"),
                row.getString("name"),
                Role.parse(row.getString("role")),
                SqlTime.read(row, "created_at"),
                SqlTime.readIfThere(row, "expires_at"),
                Optional.ofNullable(row.getString("sources"))
                        .map(text -> Set.of(text.split("\n"))),
                Optional.ofNullable(row.getString("made_by"))
                        .map(text -> Persons.read(JsonMap.read(text)).makers())
                        .orElse(Set.of()));
    }

    private static String digest(String text) {
        return Bytes.sha256Hex(text);
    }
}
