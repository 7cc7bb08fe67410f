package dev.mainstay.server.security;

import java.util.Locale;

/// What somebody may do.
public enum Role {
    /// Sees everything but tokens and the audit trail.
    VIEWER,
    /// Starts and cancels jobs as well.
    OPERATOR,
    /// Sees everything, and changes nothing.
    AUDITOR,
    /// Does everything.
    ADMINISTRATOR;

    /// Whether who has this role may do what needs at least that one.
    public boolean covers(Role least) {
        return this == least || this == ADMINISTRATOR || least == VIEWER;
    }

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws IllegalArgumentException if there is none
    public static Role parse(String word) {
        for (Role role : values()) {
            if (role.word().equals(word)) {
                return role;
            }
        }
        throw new IllegalArgumentException(
                "'" + word + "' is none of viewer, operator, auditor and administrator");
    }
}
