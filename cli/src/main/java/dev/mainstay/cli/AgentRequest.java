package dev.mainstay.cli;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a client sends: the number of its words and the length of what follows, eight bytes each,
/// then its words and its environment, each text with a zero behind it.
///
/// @param protocol [#PROTOCOL], or it is nothing for us
/// @param program which launcher asks
/// @param workingDirectory where that was called
/// @param fresh the file that `wal get` writes instead of the one that it is asked for; the
///   launcher renames it once it has the answer, so that an agent that is late replaces nothing
/// @param command the command line
record AgentRequest(
        String protocol,
        Path program,
        Path workingDirectory,
        String fresh,
        List<String> command,
        Map<String, String> environment) {
    /// Changes with whatever launcher and agent must agree on.
    static final String PROTOCOL = "mainstay-agent 1";

    private static final int OWN_WORDS = 4;
    private static final int MAX_BYTES = 4 << 20;

    /// Reads one.
    ///
    /// @throws IOException if it ends too soon or is no request
    static AgentRequest read(ReadableByteChannel in) throws IOException {
        ByteBuffer header = fill(in, ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN));
        long words = header.getLong();
        long length = header.getLong();
        if (length < 1 || length > MAX_BYTES || words < OWN_WORDS || words > length) {
            throw new IOException("no request: " + words + " words in " + length + " bytes");
        }
        byte[] bytes = fill(in, ByteBuffer.allocate((int) length)).array();
        if (bytes[bytes.length - 1] != 0) {
            throw new IOException("no request: it does not end with a zero");
        }
        String text = new String(bytes, 0, bytes.length - 1, StandardCharsets.UTF_8);
        List<String> texts = List.of(text.split("\0", -1));
        if (texts.size() < words) {
            throw new IOException("no request: fewer words than it says");
        }
        return of(
                texts.subList(0, (int) words),
                environment(texts.subList((int) words, texts.size())));
    }

    private static ByteBuffer fill(ReadableByteChannel in, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (in.read(buffer) < 0) {
                throw new EOFException("the client went away");
            }
        }
        return buffer.flip();
    }

    private static AgentRequest of(List<String> words, Map<String, String> environment) {
        return new AgentRequest(
                words.get(0),
                Path.of(words.get(1)),
                Path.of(words.get(2)),
                words.get(3),
                words.subList(OWN_WORDS, words.size()),
                environment);
    }

    /// Of a name that is there twice the first counts, as for the JDK's own.
    private static Map<String, String> environment(List<String> texts) {
        Map<String, String> environment = new HashMap<>();
        for (String text : texts) {
            int equals = text.indexOf('=', 1);
            if (equals > 0) {
                environment.putIfAbsent(text.substring(0, equals), text.substring(equals + 1));
            }
        }
        return environment;
    }
}
