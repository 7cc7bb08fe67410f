package dev.mainstay.it;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/// Has a server of version 15 or later write the manifest of a base backup of its own, over the
/// replication protocol, and throws the backup away. The server lets everybody in.
final class ServerManifest {
    private static final int PROTOCOL = 3 << 16;
    private static final int PATIENCE_MILLIS = 120_000;
    private static final String COMMAND =
            "BASE_BACKUP (MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C', CHECKPOINT 'fast',"
                    + " WAIT false)";

    private final DataInputStream in;
    private final ByteArrayOutputStream manifest = new ByteArrayOutputStream();
    private boolean inManifest;

    private ServerManifest(DataInputStream in) {
        this.in = in;
    }

    static String of(int port, String user) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            byte[] startup =
                    ("user\0" + user + "\0replication\0true\0\0").getBytes(StandardCharsets.UTF_8);
            out.writeInt(startup.length + 8);
            out.writeInt(PROTOCOL);
            out.write(startup);
            ServerManifest reading =
                    new ServerManifest(new DataInputStream(socket.getInputStream()));
            reading.untilReady();
            byte[] query = (COMMAND + "\0").getBytes(StandardCharsets.UTF_8);
            out.writeByte('Q');
            out.writeInt(query.length + 4);
            out.write(query);
            reading.untilReady();
            return reading.manifest.toString(StandardCharsets.UTF_8);
        }
    }

    private void untilReady() throws IOException {
        while (true) {
            int type = in.readUnsignedByte();
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            switch (type) {
                case 'Z' -> {
                    return;
                }
                case 'E' ->
                        throw new IOException(
                                new String(body, StandardCharsets.UTF_8).replace('\0', ' '));
                case 'd' -> copied(body);
                default -> {
                    // result sets, parameters, notices
                }
            }
        }
    }

    /// A new archive, the manifest, its or an archive's bytes, progress.
    private void copied(byte[] body) {
        switch (body[0]) {
            case 'n' -> inManifest = false;
            case 'm' -> inManifest = true;
            case 'd' -> {
                if (inManifest) {
                    manifest.write(body, 1, body.length - 1);
                }
            }
            default -> {
                // progress
            }
        }
    }
}
