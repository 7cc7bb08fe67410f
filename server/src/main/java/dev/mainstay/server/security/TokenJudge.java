package dev.mainstay.server.security;

import org.springframework.security.authentication.AuthenticationManager;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.core.DefaultOAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.server.resource.InvalidBearerTokenException;
import org.springframework.security.oauth2.server.resource.authentication.BearerTokenAuthentication;
import org.springframework.security.oauth2.server.resource.authentication.BearerTokenAuthenticationToken;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tells whose a token is. Its form says who has to judge it: this server's own begin with
/// [TokenTable#PREFIX], all others are the identity provider's, if there is one.
final class TokenJudge implements AuthenticationManager {
    private final TokenTable tokens;
    private final Optional<IdentityProvider> provider;

    TokenJudge(TokenTable tokens, Optional<IdentityProvider> provider) {
        this.tokens = tokens;
        this.provider = provider;
    }

    @Override
    public Authentication authenticate(Authentication asked) {
        String text = ((BearerTokenAuthenticationToken) asked).getToken();
        if (provider.isPresent() && !text.startsWith(TokenTable.PREFIX)) {
            return provider.get().judge(text);
        }
        ApiToken token =
                tokens.find(text)
                        .orElseThrow(
                                () -> new InvalidBearerTokenException("the token is not valid"));
        List<SimpleGrantedAuthority> authorities =
                List.of(new SimpleGrantedAuthority(Caller.ROLE + token.role().name()));
        return new BearerTokenAuthentication(
                new DefaultOAuth2AuthenticatedPrincipal(
                        token.toString(), attributes(token), List.copyOf(authorities)),
                new OAuth2AccessToken(
                        OAuth2AccessToken.TokenType.BEARER,
                        text,
                        token.created(),
                        token.expires().orElse(null)),
                authorities);
    }

    private static Map<String, Object> attributes(ApiToken token) {
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("sub", token.id());
        attributes.put(Caller.PERSONS, Persons.ofToken(token.name(), token.makers()));
        token.sources().ifPresent(sources -> attributes.put(Grants.SOURCES, List.copyOf(sources)));
        return attributes;
    }
}
