package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.KeyRotation;
import dev.mainstay.repository.KeyRotation.Step;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.List;

/// `mainstay keys rotate`
@Command(
        name = "rotate",
        description = "begin a new epoch: a new root key, and a new key for each source",
        footer = {
            "",
            "What was sealed before stays as it is, and stays readable with the old keys. Writers"
                    + " go on, and",
            "seal with the new keys within minutes."
        })
final class KeysRotateCommand implements Verb {
    @Option(names = "--plan", description = "say who gets the new root key, and change nothing")
    private boolean planOnly;

    @Option(
            names = "--drop",
            paramLabel = "ID",
            description = "this recipient gets no new root key; may be given several times")
    private List<String> drops = List.of();

    @Option(names = "--yes", description = "do not ask")
    private boolean yes;

    @Mixin private OtherKeyOptions others = new OtherKeyOptions();

    @Override
    public Document run(Session session) throws IOException {
        try (Repository repository = OpenSource.repository(session)) {
            KeyRotation rotation = repository.keys().rotation(others.read(session));
            List<Step> steps = rotation.plan();
            for (String id : drops) {
                if (steps.stream().noneMatch(step -> step.recipient().id().equals(id))) {
                    throw new MainstayException(
                            ErrorCode.KEY_RECIPIENT_UNKNOWN,
                            "there is no recipient " + id + " in the newest epoch");
                }
            }
            List<Step> kept = steps.stream().filter(step -> !isDropped(step)).toList();
            if (planOnly) {
                return Document.of(kept.size() + " of " + steps.size() + " get the new root key")
                        .add("recipients", table(steps));
            }
            rotation.demandUsable(kept);
            Confirm.danger(session, danger(steps, kept), yes);
            return outcome(rotation.run(kept), steps);
        }
    }

    private boolean isDropped(Step step) {
        return drops.contains(step.recipient().id());
    }

    private Table table(List<Step> steps) {
        Table table = Table.of("recipient", "kind", "label", "newRootKey");
        for (Step step : steps) {
            table.row(
                    step.recipient().id(),
                    step.recipient().kind(),
                    step.recipient().label(),
                    isDropped(step)
                            ? "no: dropped"
                            : switch (step.way()) {
                                case SECRET -> "yes: its key is here";
                                case SEALED -> "yes: without its secret";
                                case NONE -> "no: its key is needed (--with-…), or --drop it";
                            });
        }
        return table;
    }

    private static String danger(List<Step> steps, List<Step> kept) {
        List<String> names = kept.stream().map(step -> step.recipient().toString()).toList();
        int dropped = steps.size() - kept.size();
        return "a new root key for "
                + String.join(", ", names)
                + (dropped == 0
                        ? ""
                        : "; "
                                + dropped
                                + (dropped == 1 ? " other reads" : " others read")
                                + " nothing that is written from now on");
    }

    private Document outcome(KeyRotation.Result result, List<Step> steps) {
        Document document =
                Document.of("epoch " + result.epoch() + " of the root key began")
                        .add("epoch", result.epoch())
                        .add("recipients", table(steps))
                        .addAll("sources", result.sources())
                        .add(
                                "whatStays",
                                "what was sealed before stays readable with the old keys; running"
                                        + " receivers, agents and backups take the new ones within"
                                        + " minutes");
        if (result.failed().isEmpty()) {
            return document;
        }
        Keys.warn(document, result.failed(), List.of());
        return document.failing();
    }
}
