package dev.mainstay.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.local.LocalStore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A process of its own that puts the same names as its rivals: `ROOT ID COUNT RESULT`. It says
/// `ready`, starts on a line of input, and leaves the names it created in the file RESULT.
final class RacingProcess {
    private RacingProcess() {}

    public static void main(String[] args) throws IOException {
        List<String> won = new ArrayList<>();
        try (LocalStore store = LocalStore.open(Path.of(args[0]))) {
            System.out.println("ready");
            int _ = System.in.read();
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                ByteBuffer content = ByteBuffer.wrap(content(args[1]).getBytes(US_ASCII));
                if (store.put(name(i), content) == PutOutcome.CREATED) {
                    won.add(name(i));
                }
            }
        }
        Files.write(Path.of(args[3]), won);
    }

    static String name(int i) {
        return "race/" + i % 10 + "/" + i;
    }

    static String content(String id) {
        return ("process " + id + "\n").repeat(500);
    }
}
