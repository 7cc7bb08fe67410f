package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The client's listing is what is run, and says what is run.
class AgentClientTest {
    private static final Pattern DISASSEMBLED =
            Pattern.compile("^\\s+[0-9a-f]+:\\t([0-9a-f ]+?)\\s*\\t(.*)$");

    @TempDir private Path folder;

    private static List<String> listing(String architecture) throws IOException {
        try (InputStream in =
                AgentClient.class.getResourceAsStream("agent-client-" + architecture + ".txt")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void theProgramIsSmallAndNothingButItsListing(String architecture) throws IOException {
        byte[] program = AgentClient.program(architecture).orElseThrow();
        assertThat(program).hasSizeLessThan(600).startsWith(0x7f, 'E', 'L', 'F');
        assertThat(listing(architecture))
                .filteredOn(line -> line.startsWith("  "))
                .allMatch(line -> line.matches("  ([0-9a-f]{2})+ +\\| [a-z].*"));
        assertThat(AgentClient.program("s390x")).isEmpty();
    }

    /// `objdump` of a usual Linux host knows its own processor only.
    @Test
    void theBytesAreTheInstructionsBesideThem() throws IOException, InterruptedException {
        assumeThat(System.getProperty("os.arch")).isEqualTo("amd64");
        assumeThat(Path.of("/usr/bin/objdump")).exists();
        byte[] program = AgentClient.program("amd64").orElseThrow();
        int header = 64 + 2 * 56;
        Path code =
                Files.write(
                        folder.resolve("code"),
                        java.util.Arrays.copyOfRange(program, header, program.length));
        Process process =
                new ProcessBuilder(
                                "/usr/bin/objdump",
                                "-D",
                                "--insn-width=16",
                                "-b",
                                "binary",
                                "-m",
                                "i386:x86-64",
                                "-M",
                                "intel",
                                code.toString())
                        .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        List<String> disassembled =
                text.lines()
                        .map(DISASSEMBLED::matcher)
                        .filter(Matcher::matches)
                        .map(line -> plain(line.group(1), line.group(2)))
                        .toList();
        List<String> listed =
                listing("amd64").stream()
                        .filter(line -> line.startsWith("  "))
                        .map(line -> line.split("\\|", 2))
                        .map(pair -> plain(pair[0], pair[1]))
                        .toList();
        assertThat(listed).hasSizeGreaterThan(90).isEqualTo(disassembled);
    }

    /// Without labels, which a disassembler of bare bytes does not know.
    private static String plain(String bytes, String instruction) {
        return bytes.replace(" ", "")
                + ": "
                + instruction
                        .replaceAll("<.*>", "")
                        .replace("0x", "")
                        .replaceAll("\\s+", " ")
                        .strip();
    }

    @Test
    void aProgramThatIsThereIsLeftAndAnotherOneReplaced() throws IOException {
        byte[] program = AgentClient.program("amd64").orElseThrow();
        Path file = folder.resolve("client");
        AgentClient.write(file, program);
        Object first = Files.getAttribute(file, "unix:ino");
        AgentClient.write(file, program);
        assertThat(Files.getAttribute(file, "unix:ino")).isEqualTo(first);
        Files.write(file, new byte[] {1});
        AgentClient.write(file, program);
        assertThat(file).hasBinaryContent(program).isExecutable();
    }
}
