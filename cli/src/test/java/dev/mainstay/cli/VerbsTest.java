package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.ParseResult;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class VerbsTest {
    private static final List<String> WAL = List.of("wal");

    @Test
    void nothingOfOneCallIsLeftForTheNext() {
        Verbs used = Verbs.of(WAL);
        ParseResult _ =
                used.parse(
                        List.of(
                                "--config=a.yaml",
                                "--output=json",
                                "--quiet",
                                "wal",
                                "get",
                                "--source=a",
                                "--standby",
                                "--rewind",
                                "--from=b",
                                "NAME",
                                "PATH"));
        ParseResult _ = used.parse(List.of("wal", "push", "--source=a", "OTHER"));
        for (List<String> next :
                List.of(List.of("wal", "get", "N", "P"), List.of("wal", "push", "P"))) {
            assertThat(values(used.parse(next))).isEqualTo(values(Verbs.of(WAL).parse(next)));
        }
    }

    private static Map<String, Object> values(ParseResult parsed) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (ParseResult each = parsed; ; each = each.subcommand()) {
            for (ArgSpec arg : each.commandSpec().args()) {
                values.put(
                        each.commandSpec().name() + " " + arg,
                        String.valueOf(arg.<Object>getValue()));
            }
            if (!each.hasSubcommand()) {
                return values;
            }
        }
    }
}
