package dev.mainstay.engine.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// The section `server.oidc`: whose tokens a server believes besides its own.
///
/// @param issuer as it stands in the tokens, and under which its keys are discovered
/// @param audience that a token has to be for
/// @param jwkSetUri where its keys are, unless that is to be discovered
/// @param rolesClaim the claim with roles or groups; dots lead into objects
/// @param roles what its values mean here; empty: they are the names of roles
/// @param sourcesClaim the claim with the sources that a token is for (`*`: all); empty: all
/// @param caFile PEM, of who vouches for the issuer's certificate
public record OidcSettings(
        String issuer,
        String audience,
        Optional<String> jwkSetUri,
        String rolesClaim,
        Map<String, String> roles,
        Optional<String> sourcesClaim,
        Optional<Path> caFile) {
    public OidcSettings {
        roles = Map.copyOf(roles);
    }
}
