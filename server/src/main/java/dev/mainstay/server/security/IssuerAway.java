package dev.mainstay.server.security;

import org.springframework.security.core.AuthenticationException;

/// A token cannot be judged: whoever issued it cannot be asked for his keys.
final class IssuerAway extends AuthenticationException {
    private static final long serialVersionUID = 1;

    IssuerAway(Throwable why) {
        super("the issuer of tokens cannot be asked for its keys", why);
    }
}
