package dev.mainstay.server.alert;

import java.util.List;
import java.util.Set;

/// What the rules say of the facts.
///
/// @param unsure keys of what could not be judged: nothing is known that would show it to be over
public record Verdict(List<Finding> findings, Set<String> unsure) {
    public Verdict {
        findings = List.copyOf(findings);
        unsure = Set.copyOf(unsure);
    }
}
