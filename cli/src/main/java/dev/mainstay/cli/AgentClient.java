package dev.mainstay.cli;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// The program by which a shell asks an agent: some 500 bytes, no library, no compiler. A shell
/// cannot speak to a Unix socket, and whatever else can (Python, curl, a JVM) starts many times as
/// long or is not on every host.
///
/// Its instructions stand in `agent-client-ARCHITECTURE.txt`, each with its bytes; here they get
/// the header that Linux wants. The agent writes the program beside its socket and, before it
/// offers the socket to anybody, asks itself by it ([AgentListener]): where that fails nobody uses
/// it.
final class AgentClient {
    private static final long ADDRESS = 0x400000;
    private static final int HEADER = 64;
    private static final int SEGMENT = 56;
    private static final int ALIGNMENT = 0x10000;

    private AgentClient() {}

    /// The program for a processor as the JDK names it (`os.arch`); empty for one it is not written
    /// for.
    static Optional<byte[]> program(String architecture) {
        return switch (architecture) {
            case "amd64" -> Optional.of(executable(62, code(architecture)));
            case "aarch64" -> Optional.of(executable(183, code(architecture)));
            default -> Optional.empty();
        };
    }

    private static byte[] code(String architecture) {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        try (InputStream resource =
                        AgentClient.class.getResourceAsStream(
                                "agent-client-" + architecture + ".txt");
                BufferedReader lines =
                        new BufferedReader(
                                new InputStreamReader(
                                        java.util.Objects.requireNonNull(resource),
                                        StandardCharsets.UTF_8))) {
            lines.lines()
                    .filter(line -> line.startsWith("  "))
                    .map(line -> line.substring(0, line.indexOf('|')).strip())
                    .forEach(hex -> code.writeBytes(HexFormat.of().parseHex(hex)));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return code.toByteArray();
    }

    /// An ELF file of 64 bits: its header, two program headers, the code. All of it is mapped once,
    /// to be read and executed; the stack may not be executed.
    private static byte[] executable(int machine, byte[] code) {
        int begin = HEADER + 2 * SEGMENT;
        int length = begin + code.length;
        ByteBuffer file = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        file.putShort((short) 2); // an executable
        file.putShort((short) machine);
        file.putInt(1);
        file.putLong(ADDRESS + begin); // where it starts
        file.putLong(HEADER); // where the program headers are
        file.putLong(0).putInt(0); // no sections, no flags
        file.putShort((short) HEADER);
        file.putShort((short) SEGMENT);
        file.putShort((short) 2).position(HEADER);
        file.putInt(1).putInt(5); // loaded, readable and executable
        file.putLong(0).putLong(ADDRESS).putLong(ADDRESS);
        file.putLong(length).putLong(length).putLong(ALIGNMENT);
        file.putInt(0x6474e551).putInt(6); // the stack: readable and writable
        file.putLong(0).putLong(0).putLong(0).putLong(0).putLong(0).putLong(16);
        return file.put(code).array();
    }

    /// Writes a program, executable by its owner only, unless it is there already.
    static void write(Path file, byte[] program) throws IOException {
        if (Files.isExecutable(file) && Arrays.equals(Files.readAllBytes(file), program)) {
            return;
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(
                fresh,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.write(fresh, program);
        Files.move(
                fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
