package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `mainstay demo`
@Command(name = "demo")
final class DemoCommand implements Verb {
    @Option(names = "--keep", description = "leave the servers' files and the repository behind")
    private boolean keep;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description = "how much data to load (default: 300MiB)")
    private String size = "300MiB";

    @Override
    public Document run(Session session) throws Exception {
        try (DemoStage stage = DemoStage.open(session, keep)) {
            return new DemoStory(session, stage).tell(ByteSize.parse(size));
        }
    }
}
