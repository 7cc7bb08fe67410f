import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Checks (`check ROOT`) or rewrites (`write ROOT`) every Java source of the tree in
/// google-java-format's AOSP style. Run by the root pom in the toolchain's JDK, because the
/// formatter parses with the javac it runs on and Maven itself may run on an older one.
public class Format {
    public static void main(String[] args) throws Exception {
        boolean write = args[0].equals("write");
        Path root = Path.of(args[1]);
        var formatter =
                new Formatter(
                        JavaFormatterOptions.builder()
                                .style(JavaFormatterOptions.Style.AOSP)
                                .build());
        List<Path> sources = new ArrayList<>();
        for (String module : List.of("core", "cli", "testkit", "it", "bench", ".ci")) {
            Path folder = root.resolve(module);
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(f -> f.toString().endsWith(".java"))
                        .filter(f -> !f.toString().contains("/target/"))
                        .forEach(sources::add);
            }
        }
        int wrong = 0;
        for (Path file : sources) {
            String before = Files.readString(file);
            String after = formatter.formatSourceAndFixImports(before);
            if (write) { // a second pass, since breaking a line may let the formatter join another
                after = formatter.formatSourceAndFixImports(after);
            }
            if (!after.equals(before)) {
                wrong++;
                if (write) {
                    Files.writeString(file, after);
                } else {
                    System.err.println("not formatted: " + root.relativize(file));
                }
            }
        }
        if (wrong > 0 && !write) {
            System.err.println("run: mvn -q -N process-sources -Dformat.mode=write");
            System.exit(1);
        }
    }
}
