package dev.mainstay.server.security;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Under which names somebody is known, and who made the tokens that he has: to tell whether two are
/// the same person. In doubt they are.
///
/// @param own names of whoever it is
/// @param makers names of those who made his token, and theirs
public record Persons(Set<String> own, Set<String> makers) {
    private static final String OWN = "own";

    public Persons {
        own = Set.copyOf(own);
        makers = Set.copyOf(makers);
    }

    /// Who has a token of this name.
    ///
    /// @param makers names of whoever made it
    static Persons ofToken(String name, Set<String> makers) {
        return new Persons(Set.of(named(name)), makers);
    }

    /// A person of the identity provider.
    ///
    /// @param name by which others know him
    static Persons ofSubject(String subject, Optional<String> name) {
        Set<String> own = new HashSet<>(Set.of("subject " + subject));
        name.map(Persons::named).ifPresent(own::add);
        return new Persons(own, Set.of());
    }

    private static String named(String name) {
        return "name " + name.strip().toLowerCase(Locale.ROOT);
    }

    /// Nobody is another one by another token of the same name, or one that he made.
    public boolean mayBe(Persons other) {
        return meet(own, other.all()) || meet(other.own, all());
    }

    private static boolean meet(Set<String> some, Set<String> others) {
        return some.stream().anyMatch(others::contains);
    }

    /// Names of all of them: who makes a token stands behind it, and so do those behind him.
    Set<String> all() {
        Set<String> all = new HashSet<>(own);
        all.addAll(makers);
        return all;
    }

    /// For a column.
    public Map<String, String> map() {
        Map<String, String> map = new HashMap<>();
        makers.forEach(each -> map.put(each, "maker"));
        own.forEach(each -> map.put(each, OWN));
        return map;
    }

    /// @see #map
    public static Persons read(Map<String, String> map) {
        Set<String> own = new HashSet<>();
        Set<String> makers = new HashSet<>();
        map.forEach((name, how) -> (how.equals(OWN) ? own : makers).add(name));
        return new Persons(own, makers);
    }
}
