package dev.mainstay.postgres.protocol;

import java.util.Properties;

/// A [ConnectionSpec] in the words of pgjdbc.
final class JdbcProperties {
    private JdbcProperties() {}

    static String url(ConnectionSpec spec, ServerHost host) {
        String place =
                switch (host) {
                    case ServerHost.Tcp tcp -> tcp.toString();
                    // The socket factory knows the place; pgjdbc only wants a name.
                    case ServerHost.Unix unix -> "localhost:" + unix.port();
                };
        return "jdbc:postgresql://"
                + place
                + "/"
                + java.net.URLEncoder.encode(
                                spec.database(), java.nio.charset.StandardCharsets.UTF_8)
                        .replace("+", "%20");
    }

    static Properties of(ConnectionSpec spec, ServerHost host) {
        Properties properties = new Properties();
        properties.setProperty("user", spec.user());
        spec.password(host, spec.database())
                .password()
                .ifPresent(password -> properties.setProperty("password", password));
        properties.setProperty("ApplicationName", spec.applicationName());
        properties.setProperty("connectTimeout", seconds(spec));
        properties.setProperty("loginTimeout", seconds(spec));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("gssEncMode", "disable");
        SslMode mode = host instanceof ServerHost.Unix ? SslMode.DISABLE : spec.sslMode();
        properties.setProperty("sslmode", mode.text());
        if (host instanceof ServerHost.Unix unix) {
            properties.setProperty("socketFactory", UnixSocketFactory.class.getName());
            properties.setProperty("socketFactoryArg", unix.socketFile().toString());
        } else {
            spec.localAddress()
                    .ifPresent(from -> properties.setProperty("localSocketAddress", from));
            tls(spec, mode, properties);
        }
        return properties;
    }

    private static void tls(ConnectionSpec spec, SslMode mode, Properties properties) {
        if (!mode.demandsTls() && !spec.allowsClearText()) {
            properties.setProperty("requireAuth", "!password");
        }
        if (mode != SslMode.DISABLE) {
            properties.setProperty("sslfactory", TlsSocketFactory.class.getName());
            spec.rootCertificate().ifPresent(f -> properties.setProperty("sslrootcert", f));
            spec.clientCertificate().ifPresent(f -> properties.setProperty("sslcert", f));
            spec.clientKey().ifPresent(f -> properties.setProperty("sslkey", f));
        }
    }

    private static String seconds(ConnectionSpec spec) {
        return Long.toString(spec.connectTimeout().toSeconds());
    }
}
