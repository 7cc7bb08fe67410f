package dev.mainstay.server.security;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;

import dev.mainstay.engine.config.OidcSettings;

import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.core.DefaultOAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.InvalidBearerTokenException;
import org.springframework.security.oauth2.server.resource.authentication.BearerTokenAuthentication;

import java.io.IOException;
import java.time.Clock;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Judges the tokens of an issuer of OpenID Connect: JWTs that one of its keys signed, for this
/// audience, and not expired. Only signatures with public keys count, whatever a token asks for.
final class IdentityProvider {
    private static final Set<JWSAlgorithm> ALGORITHMS =
            Set.of(
                    JWSAlgorithm.RS256,
                    JWSAlgorithm.RS384,
                    JWSAlgorithm.RS512,
                    JWSAlgorithm.PS256,
                    JWSAlgorithm.PS384,
                    JWSAlgorithm.PS512,
                    JWSAlgorithm.ES256,
                    JWSAlgorithm.ES384,
                    JWSAlgorithm.ES512);

    private final OidcSettings settings;
    private final IssuerKeys keys;
    private final NimbusJwtDecoder decoder;

    IdentityProvider(OidcSettings settings, Clock clock) {
        this.settings = settings;
        this.keys = new IssuerKeys(settings);
        this.decoder = decoder(clock);
    }

    private NimbusJwtDecoder decoder(Clock clock) {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(
                        JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        processor.setJWSKeySelector(
                new JWSVerificationKeySelector<>(
                        ALGORITHMS,
                        (selector, context) -> {
                            try {
                                return keys.source().get(selector, context);
                            } catch (IOException away) {
                                throw new KeySourceException(away.getMessage(), away);
                            }
                        }));
        processor.setJWTClaimsSetVerifier((_, _) -> {}); // the validators below do
        JwtTimestampValidator times = new JwtTimestampValidator();
        times.setClock(clock);
        times.setAllowEmptyExpiryClaim(false);
        NimbusJwtDecoder made = new NimbusJwtDecoder(processor);
        made.setJwtValidator(
                new DelegatingOAuth2TokenValidator<>(
                        times,
                        new JwtIssuerValidator(settings.issuer()),
                        new JwtClaimValidator<Collection<String>>(
                                "aud",
                                audiences ->
                                        audiences != null
                                                && audiences.contains(settings.audience())),
                        new JwtClaimValidator<String>(
                                "sub", subject -> subject != null && !subject.isBlank())));
        return made;
    }

    /// @throws InvalidBearerTokenException if it is no good
    /// @throws IssuerAway if nobody can tell
    Authentication judge(String text) {
        try {
            return authentication(decoder.decode(text));
        } catch (BadJwtException bad) {
            throw new InvalidBearerTokenException("the token is not valid", bad);
        } catch (JwtException failed) {
            for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
                if (cause instanceof RateLimitReachedException) { // of a key that nobody knows
                    throw new InvalidBearerTokenException("the token is not valid", failed);
                }
            }
            throw new IssuerAway(failed);
        }
    }

    private Authentication authentication(Jwt jwt) {
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("sub", jwt.getSubject());
        settings.sourcesClaim()
                .map(claim -> texts(jwt, claim))
                .filter(sources -> !sources.contains("*"))
                .ifPresent(sources -> attributes.put(Grants.SOURCES, sources));
        String person = jwt.getClaimAsString("preferred_username");
        attributes.put(
                Caller.PERSONS,
                Persons.ofSubject(
                        Objects.requireNonNull(jwt.getSubject()), Optional.ofNullable(person)));
        List<SimpleGrantedAuthority> authorities =
                texts(jwt, settings.rolesClaim()).stream()
                        .map(this::role)
                        .flatMap(Optional::stream)
                        .map(role -> new SimpleGrantedAuthority(Caller.ROLE + role.name()))
                        .toList();
        return new BearerTokenAuthentication(
                new DefaultOAuth2AuthenticatedPrincipal(
                        "subject "
                                + jwt.getSubject()
                                + (person == null ? "" : " (" + person + ")"),
                        attributes,
                        List.copyOf(authorities)),
                new OAuth2AccessToken(
                        OAuth2AccessToken.TokenType.BEARER,
                        jwt.getTokenValue(),
                        jwt.getIssuedAt(),
                        jwt.getExpiresAt()),
                authorities);
    }

    private Optional<Role> role(String value) {
        String word =
                settings.roles().isEmpty() ? value : settings.roles().getOrDefault(value, "");
        return Arrays.stream(Role.values()).filter(role -> role.word().equals(word)).findFirst();
    }

    /// A claim that is a list, or a text with blanks, as it is or in the objects that dots name.
    private static List<String> texts(Jwt jwt, String claim) {
        Object value = jwt.getClaims().get(claim);
        if (value == null) {
            value = jwt.getClaims();
            for (String step : claim.split("\\.", -1)) {
                value = value instanceof Map<?, ?> object ? object.get(step) : null;
            }
        }
        return switch (value) {
            case Collection<?> list -> list.stream().filter(Objects::nonNull).map(Object::toString).toList();
            case String text -> List.of(text.strip().split("\\s+"));
            case null, default -> List.of();
        };
    }
}
