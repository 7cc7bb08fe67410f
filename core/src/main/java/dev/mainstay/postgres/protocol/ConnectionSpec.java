package dev.mainstay.postgres.protocol;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where a server is and how to log in to it: what libpq would make of a connection URL.
///
/// The password comes, in this order, from the URL, from `PGPASSWORD` and from the password file
/// (`passfile`, `PGPASSFILE`, `~/.pgpass`), which is read anew for each connection. It is never
/// printed.
public final class ConnectionSpec {
    private final List<ServerHost> hosts;
    private final String user;
    private final String database;
    private final Map<String, String> parameters;
    private final Map<String, String> environment;

    ConnectionSpec(
            List<ServerHost> hosts,
            String user,
            String database,
            Map<String, String> parameters,
            Map<String, String> environment) {
        this.hosts = List.copyOf(hosts);
        this.user = user;
        this.database = database;
        this.parameters = Map.copyOf(parameters);
        this.environment = Map.copyOf(environment);
    }

    /// Reads
    /// `postgresql://user[:password]@host[:port][,host2[:port]]/db?sslmode=…&target_session_attrs=…`.
    /// A Unix socket is named by its directory, percent-encoded as the host or as `?host=/run/…`.
    ///
    /// @param environment the process's variables (`PGUSER`, `PGPASSWORD`, `PGPASSFILE`, `HOME`, …)
    /// @throws dev.mainstay.base.MainstayException CONFIG_INVALID
    public static ConnectionSpec parse(String url, Map<String, String> environment) {
        return new ConnectionUrl(url, environment).parse();
    }

    public ConnectionSpec withApplicationName(String name) {
        return with("application_name", name);
    }

    public ConnectionSpec withDatabase(String other) {
        return new ConnectionSpec(hosts, user, other, parameters, environment);
    }

    /// TCP connections come from this address of the host; an address as text.
    public ConnectionSpec withLocalAddress(String address) {
        return with("local_address", address);
    }

    Optional<String> localAddress() {
        return Optional.ofNullable(parameters.get("local_address"));
    }

    private ConnectionSpec with(String key, String value) {
        Map<String, String> changed = new HashMap<>(parameters);
        changed.put(key, value);
        return new ConnectionSpec(hosts, user, database, changed, environment);
    }

    /// The same login at another place alone.
    public ConnectionSpec withHost(ServerHost only) {
        return new ConnectionSpec(List.of(only), user, database, parameters, environment);
    }

    /// In the order they are tried; never empty.
    public List<ServerHost> hosts() {
        return hosts;
    }

    public String user() {
        return user;
    }

    public String database() {
        return database;
    }

    public SslMode sslMode() {
        return SslMode.parse(parameters.getOrDefault("sslmode", "prefer")).orElseThrow();
    }

    public TargetSession targetSession() {
        return TargetSession.parse(parameters.getOrDefault("target_session_attrs", "any"))
                .orElseThrow();
    }

    public String applicationName() {
        return parameters.getOrDefault("application_name", "mainstay");
    }

    /// For each host; 10 seconds unless the URL says otherwise.
    public Duration connectTimeout() {
        int seconds = Integer.parseInt(parameters.getOrDefault("connect_timeout", "10"));
        return Duration.ofSeconds(seconds == 0 ? 10 : seconds);
    }

    /// Whether the URL asks for a password in clear text on a line without TLS
    /// (`require_auth=password`).
    boolean allowsClearText() {
        return parameters.getOrDefault("require_auth", "").equals("password");
    }

    Optional<String> rootCertificate() {
        return Optional.ofNullable(parameters.get("sslrootcert"))
                .or(() -> home(".postgresql/root.crt"));
    }

    Optional<String> clientCertificate() {
        return Optional.ofNullable(parameters.get("sslcert"))
                .or(() -> home(".postgresql/postgresql.crt"));
    }

    Optional<String> clientKey() {
        return Optional.ofNullable(parameters.get("sslkey"))
                .or(() -> home(".postgresql/postgresql.key"));
    }

    private Optional<String> home(String relative) {
        return Optional.ofNullable(environment.get("HOME"))
                .map(home -> Path.of(home, relative))
                .filter(java.nio.file.Files::exists)
                .map(Path::toString);
    }

    /// The password to log in with on `host`.
    ///
    /// @param databases names to look for in the password file, best first
    PasswordFile.Answer password(ServerHost host, String... databases) {
        String given = parameters.get("password");
        if (given == null) {
            given = environment.get("PGPASSWORD");
        }
        if (given != null && !given.isEmpty()) {
            return new PasswordFile.Answer(Optional.of(given), Optional.empty());
        }
        Optional<Path> file =
                Optional.ofNullable(parameters.get("passfile"))
                        .or(() -> Optional.ofNullable(environment.get("PGPASSFILE")))
                        .map(Path::of)
                        .or(
                                () ->
                                        Optional.ofNullable(environment.get("HOME"))
                                                .map(home -> Path.of(home, ".pgpass")));
        return file.map(path -> new PasswordFile(path).find(host, user, List.of(databases)))
                .orElse(PasswordFile.Answer.NONE);
    }

    /// The URL pgjdbc understands for one of the [#hosts].
    public String jdbcUrl(ServerHost host) {
        return JdbcProperties.url(this, host);
    }

    /// What pgjdbc needs beside [#jdbcUrl], the password included: never print it.
    public java.util.Properties jdbcProperties(ServerHost host) {
        return JdbcProperties.of(this, host);
    }

    /// The URL without any secret.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("postgresql://").append(user).append('@');
        text.append(String.join(",", hosts.stream().map(ServerHost::toString).toList()));
        return text.append('/').append(database).toString();
    }
}
