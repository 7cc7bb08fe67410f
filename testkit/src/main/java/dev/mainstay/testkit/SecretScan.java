package dev.mainstay.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Looks for secrets in what tests leave: state databases, logs, repositories, outputs, reports.
/// Every folder of a test is looked through before it is deleted ([ServerDirectory],
/// [SecretScanExtension]), the reports and the log of a whole run by [#main].
public final class SecretScan {
    /// Where a secret is supposed to be, by the name of the file.
    private static final Pattern ALLOWED =
            Pattern.compile(
                    ".*\\.(yaml|key|pem|env)|key-of-.*" // configuration, keys
                            + "|(.*[-_.])?(key|password|passphrase|pgpass|pin|token|secret|sas)(\\.txt)?"
                            + "|.*\\.(class|jar)"); // the tests themselves

    private static final int CHUNK = 1 << 20;

    /// As long as what is recognised: chunks overlap by it.
    private static final int LONGEST = 4096;

    private final Map<String, String> marks = TestSecrets.marks();
    private final Map<String, Pattern> forms = TestSecrets.forms();
    private final List<String> found = new ArrayList<>();
    private int files;

    private SecretScan() {}

    /// Secrets that are in files of a folder, or in a file, where none is supposed to be: what and
    /// where, never which. What this user may not read is left out.
    public static List<String> of(Path place) {
        SecretScan scan = new SecretScan();
        scan.files(place);
        return scan.found;
    }

    /// @throws AssertionError if there is one
    public static void demandNone(Path folder) {
        List<String> found = of(folder);
        if (!found.isEmpty()) {
            throw new AssertionError("secrets were left behind: " + found);
        }
    }

    /// Of an answer or an output. What is made for whoever asks (tokens, keys) may be in one,
    /// secrets that were told may not.
    ///
    /// @param what it is the text of
    /// @return the text
    /// @throws AssertionError if there is one
    public static String demandNoneIn(String what, String text) {
        TestSecrets.marks()
                .forEach(
                        (secret, mark) -> {
                            if (text.contains(mark)) {
                                throw new AssertionError(secret + " is in " + what);
                            }
                        });
        return text;
    }

    /// Reports of every module of a build (`ROOT`), or any files: exits with 1 if there is a
    /// secret, or nothing to look through.
    public static void main(String[] arguments) throws IOException {
        SecretScan scan = new SecretScan();
        for (String argument : arguments) {
            Path place = Path.of(argument);
            if (Files.exists(place.resolve("pom.xml"))) {
                try (Stream<Path> modules = Files.list(place)) {
                    modules.map(each -> each.resolve("target/surefire-reports"))
                            .filter(Files::isDirectory)
                            .forEach(scan::files);
                }
            } else {
                scan.files(place);
            }
        }
        scan.found.forEach(System.err::println);
        System.err.printf("%d files looked through, %d secrets%n", scan.files, scan.found.size());
        if (scan.files == 0 || !scan.found.isEmpty()) {
            System.exit(1);
        }
    }

    private void files(Path place) {
        try {
            Files.walkFileTree(
                    place,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes facts)
                                throws IOException {
                            if (facts.isRegularFile() && !isAllowed(file)) {
                                file(file);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException why)
                                throws IOException {
                            return goesOn(why);
                        }
                    });
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private static FileVisitResult goesOn(IOException why) throws IOException {
        if (why instanceof NoSuchFileException || why instanceof AccessDeniedException) {
            return FileVisitResult.CONTINUE; // a server that still runs removes files
        }
        throw why;
    }

    private static boolean isAllowed(Path file) {
        return ALLOWED.matcher(String.valueOf(file.getFileName())).matches();
    }

    private void file(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            files++;
            String kept = "";
            while (true) {
                byte[] bytes = in.readNBytes(CHUNK);
                if (bytes.length == 0) {
                    return;
                }
                String text = kept + new String(bytes, StandardCharsets.ISO_8859_1);
                text(file, text);
                kept = text.substring(Math.max(0, text.length() - LONGEST));
            }
        } catch (IOException gone) {
            goesOn(gone);
        }
    }

    private void text(Path file, String text) {
        marks.forEach(
                (what, mark) -> {
                    if (text.contains(mark)) {
                        note(what, file);
                    }
                });
        forms.forEach(
                (begin, rest) -> {
                    Matcher matcher = rest.matcher(text);
                    int at = text.indexOf(begin);
                    while (at >= 0) {
                        int after = at + begin.length();
                        if (matcher.region(after, text.length()).lookingAt()) {
                            note("'" + begin.strip() + "…'", file);
                            return;
                        }
                        at = text.indexOf(begin, after);
                    }
                });
    }

    private void note(String what, Path file) {
        String line = what + " in " + file;
        if (!found.contains(line)) {
            found.add(line);
        }
    }
}
