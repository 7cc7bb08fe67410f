package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Optional;
import java.util.Properties;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/// Gives pgjdbc the same certificates, by the same rules, as the replication protocol. Public for
/// pgjdbc, which makes it by name; nobody else needs it.
public final class TlsSocketFactory extends SSLSocketFactory {
    private final SSLSocketFactory factory;
    private final SslMode mode;

    public TlsSocketFactory(Properties properties) throws SSLException {
        mode =
                SslMode.parse(properties.getProperty("sslmode", "prefer"))
                        .orElse(SslMode.VERIFY_FULL);
        factory =
                TlsContexts.context(
                                mode,
                                Optional.ofNullable(properties.getProperty("sslrootcert")),
                                Optional.ofNullable(properties.getProperty("sslcert")),
                                Optional.ofNullable(properties.getProperty("sslkey")))
                        .getSocketFactory();
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return factory.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return factory.getSupportedCipherSuites();
    }

    @Override
    public Socket createSocket(Socket plain, String host, int port, boolean autoClose)
            throws IOException {
        Socket socket = factory.createSocket(plain, host, port, autoClose);
        if (socket instanceof SSLSocket tls) {
            tls.setSSLParameters(TlsContexts.harden(tls.getSSLParameters(), mode));
        }
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return factory.createSocket(host, port);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort)
            throws IOException {
        return factory.createSocket(host, port, local, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return factory.createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
            throws IOException {
        return factory.createSocket(host, port, local, localPort);
    }
}
