package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.springframework.security.core.Authentication;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.core.OAuth2AuthenticatedPrincipal;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/// Who asks.
///
/// @param name as the audit trail has it
public record Caller(String name, Persons persons, Set<Role> roles) {
    /// The attribute of who asks with [Persons].
    static final String PERSONS = "dev.mainstay.persons";

    static final String ROLE = "ROLE_";

    public Caller {
        roles = Set.copyOf(roles);
    }

    /// Of the request that is being answered.
    ///
    /// @throws IllegalStateException if nobody is known to ask
    public static Caller current() {
        Authentication who = SecurityContextHolder.getContext().getAuthentication();
        if (who == null
                || !(who.getPrincipal() instanceof OAuth2AuthenticatedPrincipal principal)
                || !(principal.getAttributes().get(PERSONS) instanceof Persons persons)) {
            throw new IllegalStateException("nobody is known to ask");
        }
        Set<String> authorities =
                who.getAuthorities().stream()
                        .map(GrantedAuthority::getAuthority)
                        .collect(Collectors.toSet());
        return new Caller(
                who.getName(),
                persons,
                Arrays.stream(Role.values())
                        .filter(role -> authorities.contains(ROLE + role.name()))
                        .collect(Collectors.toSet()));
    }

    /// @throws MainstayException ROLE_LACKING
    public void demand(Role least) {
        if (roles.stream().noneMatch(role -> role.covers(least))) {
            throw new MainstayException(
                    ErrorCode.ROLE_LACKING, "this needs the role " + least.word());
        }
    }
}
