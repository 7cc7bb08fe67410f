package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Parser of connection URLs. Messages never quote the part that may hold a password.
final class ConnectionUrl {
    private static final TreeSet<String> KNOWN =
            new TreeSet<>(
                    List.of(
                            "application_name",
                            "connect_timeout",
                            "dbname",
                            "host",
                            "passfile",
                            "password",
                            "port",
                            "require_auth",
                            "sslcert",
                            "sslkey",
                            "sslmode",
                            "sslrootcert",
                            "target_session_attrs",
                            "user"));

    private final String url;
    private final Map<String, String> environment;
    private final Map<String, String> parameters = new HashMap<>();

    ConnectionUrl(String url, Map<String, String> environment) {
        this.url = url;
        this.environment = environment;
    }

    ConnectionSpec parse() {
        String rest;
        if (url.startsWith("postgresql://")) {
            rest = url.substring("postgresql://".length());
        } else if (url.startsWith("postgres://")) {
            rest = url.substring("postgres://".length());
        } else {
            throw invalid("it must begin with postgresql://");
        }
        int question = rest.indexOf('?');
        if (question >= 0) {
            readQuery(rest.substring(question + 1));
            rest = rest.substring(0, question);
        }
        int slash = rest.indexOf('/');
        if (slash >= 0 && slash + 1 < rest.length()) {
            parameters.putIfAbsent("dbname", decode(rest.substring(slash + 1)));
        }
        String authority = slash >= 0 ? rest.substring(0, slash) : rest;
        int at = authority.lastIndexOf('@');
        if (at >= 0) {
            readUser(authority.substring(0, at));
        }
        List<ServerHost> hosts = hosts(authority.substring(at + 1));
        String user =
                first(parameters.remove("user"), environment.get("PGUSER"), environment.get("USER"))
                        .orElseThrow(() -> invalid("it names no user"));
        String database =
                first(parameters.remove("dbname"), environment.get("PGDATABASE")).orElse(user);
        refuseZeroBytes(user, database);
        validate();
        return new ConnectionSpec(hosts, user, database, parameters, environment);
    }

    private void readUser(String text) {
        int colon = text.indexOf(':');
        String user = decode(colon >= 0 ? text.substring(0, colon) : text);
        if (!user.isEmpty()) {
            parameters.putIfAbsent("user", user);
        }
        if (colon >= 0) {
            parameters.putIfAbsent("password", decode(text.substring(colon + 1)));
        }
    }

    private void readQuery(String query) {
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw invalid("a parameter is not of the form name=value");
            }
            String name = decode(pair.substring(0, equals));
            if (!KNOWN.contains(name)) {
                throw invalid("'" + name + "' is not one of " + String.join(", ", KNOWN));
            }
            parameters.put(name, decode(pair.substring(equals + 1)));
        }
    }

    private List<ServerHost> hosts(String text) {
        String fromQuery = parameters.remove("host");
        String portText = parameters.remove("port");
        int defaultPort = port(first(portText, environment.get("PGPORT")).orElse("5432"));
        String names = fromQuery;
        if (names == null) {
            names = text.isEmpty() ? environment.getOrDefault("PGHOST", "") : text;
        }
        List<ServerHost> hosts = new ArrayList<>();
        for (String name : (names.isEmpty() ? "/var/run/postgresql" : names).split(",", -1)) {
            hosts.add(name.startsWith("/") ? unix(name, defaultPort) : host(name, defaultPort));
        }
        return hosts;
    }

    private ServerHost host(String text, int defaultPort) {
        int colon = text.lastIndexOf(':');
        String name = text;
        int port = defaultPort;
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            if (end < 0 || (end + 1 < text.length() && text.charAt(end + 1) != ':')) {
                throw invalid("an IPv6 address is not of the form [address]:port");
            }
            name = text.substring(1, end);
            port = end + 1 < text.length() ? port(text.substring(end + 2)) : defaultPort;
        } else if (colon >= 0) {
            name = text.substring(0, colon);
            port = port(text.substring(colon + 1));
        }
        String plain = decode(name);
        if (plain.isEmpty() || plain.startsWith("@")) {
            throw invalid("a host is empty or an abstract socket");
        }
        return plain.startsWith("/") ? unix(plain, port) : new ServerHost.Tcp(plain, port);
    }

    private static ServerHost unix(String directory, int port) {
        return new ServerHost.Unix(Path.of(directory), port);
    }

    private int port(String text) {
        try {
            int port = Integer.parseInt(text);
            if (port > 0 && port < 65536) {
                return port;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        throw invalid("a port is not a number from 1 to 65535");
    }

    private void validate() {
        String mode = parameters.get("sslmode");
        if (mode != null && SslMode.parse(mode).isEmpty()) {
            throw invalid(
                    "sslmode must be disable, allow, prefer, require, verify-ca or verify-full");
        }
        String target = parameters.get("target_session_attrs");
        if (target != null && TargetSession.parse(target).isEmpty()) {
            throw invalid("target_session_attrs must be any, primary or standby");
        }
        String auth = parameters.get("require_auth");
        if (auth != null && !auth.equals("password")) {
            throw invalid("require_auth knows only password, which permits clear text");
        }
        String timeout = parameters.get("connect_timeout");
        if (timeout != null && !timeout.matches("\\d{1,6}")) {
            throw invalid("connect_timeout must be a number of seconds");
        }
        refuseZeroBytes(parameters.values().toArray(String[]::new));
    }

    private void refuseZeroBytes(String... values) {
        for (String value : values) {
            if (value.indexOf('\0') >= 0) {
                throw invalid("it holds a zero byte");
            }
        }
    }

    private static Optional<String> first(@Nullable String... values) {
        for (String value : values) {
            if (value != null && !value.isEmpty()) {
                return Optional.of(value);
            }
        }
        return Optional.empty();
    }

    private String decode(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '%') {
                bytes.writeBytes(text.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
                continue;
            }
            int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
            int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                throw invalid("a percent sign is not followed by two hex digits");
            }
            bytes.write((high << 4) | low);
            i += 2;
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static MainstayException invalid(String why) {
        return new MainstayException(
                ErrorCode.CONFIG_INVALID,
                "the connection url is not valid: " + why,
                "write it as postgresql://user@host:5432/database",
                null);
    }
}
