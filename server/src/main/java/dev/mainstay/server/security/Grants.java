package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.core.OAuth2AuthenticatedPrincipal;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Which sources whoever asks may see and work on: the one place that is asked.
public final class Grants {
    /// The attribute of who asks with the names of sources; absent: all, and the whole repository.
    static final String SOURCES = "dev.mainstay.sources";

    private Grants() {}

    /// Empty for all sources, and the whole repository. Whoever is not known has none.
    public static Optional<Set<String>> sources() {
        Authentication who = SecurityContextHolder.getContext().getAuthentication();
        if (who == null || !(who.getPrincipal() instanceof OAuth2AuthenticatedPrincipal principal)) {
            return Optional.of(Set.of());
        }
        Collection<?> named = principal.getAttribute(SOURCES);
        return Optional.ofNullable(named)
                .map(each -> each.stream().map(Object::toString).collect(Collectors.toSet()));
    }

    /// Whether a source may be seen.
    public static boolean allow(String source) {
        return sources().filter(granted -> !granted.contains(source)).isEmpty();
    }

    /// @throws MainstayException GRANT_LACKING
    public static void demand(String source) {
        if (!allow(source)) {
            throw new MainstayException(
                    ErrorCode.GRANT_LACKING, "this token is not for source '" + source + "'");
        }
    }

    /// Demands that all sources were granted.
    ///
    /// @throws MainstayException GRANT_LACKING
    public static void demandWhole() {
        if (sources().isPresent()) {
            throw new MainstayException(
                    ErrorCode.GRANT_LACKING,
                    "this is of the whole repository, and this token is for single sources");
        }
    }
}
