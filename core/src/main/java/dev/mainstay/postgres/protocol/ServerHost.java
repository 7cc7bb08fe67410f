package dev.mainstay.postgres.protocol;

import java.nio.file.Path;

/// One place where a server may listen.
public sealed interface ServerHost {
    int port();

    record Tcp(String name, int port) implements ServerHost {
        @Override
        public String toString() {
            return (name.indexOf(':') >= 0 ? "[" + name + "]" : name) + ":" + port;
        }
    }

    /// A directory that holds the server's Unix-domain socket.
    record Unix(Path directory, int port) implements ServerHost {
        public Path socketFile() {
            return directory.resolve(".s.PGSQL." + port);
        }

        @Override
        public String toString() {
            return socketFile().toString();
        }
    }
}
