package dev.mainstay.base;

import java.net.InetAddress;

/// This host, as itself alone can reach it.
public final class Loopback {
    private Loopback() {}

    /// Whether what is sent to a host stays on this one. Nobody is asked what a name means: only
    /// `localhost` is sure.
    ///
    /// @param host a name or an address, IPv6 with or without brackets
    public static boolean is(String host) {
        try {
            return host.equals("localhost") || InetAddress.ofLiteral(host).isLoopbackAddress();
        } catch (IllegalArgumentException _) {
            return false; // a name
        }
    }
}
