package dev.mainstay.server.security;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.audit.AuditFilter;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.audit.Endpoints;
import dev.mainstay.server.audit.Refusals;

import jakarta.servlet.DispatcherType;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.AuthorizeHttpRequestsConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.core.DefaultOAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.server.resource.introspection.BadOpaqueTokenException;
import org.springframework.security.oauth2.server.resource.introspection.OpaqueTokenIntrospector;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Who may ask for what: everything that is not named here is refused.
@Configuration(proxyBeanMethods = false)
public class SecurityRules {
    /// What needs no token: whether the server is well, and what the API is like.
    private static final String[] OPEN = {
        "/health",
        "/health/**",
        "/api/openapi.json",
        "/api/openapi.json/swagger-config",
        "/api/docs",
        "/api/swagger-ui/**"
    };

    @Bean
    OpaqueTokenIntrospector tokenIntrospector(TokenTable tokens) {
        return text ->
                tokens.find(text)
                        .map(SecurityRules::principal)
                        .orElseThrow(
                                () -> new BadOpaqueTokenException("the token is not valid"));
    }

    private static DefaultOAuth2AuthenticatedPrincipal principal(ApiToken token) {
        List<GrantedAuthority> authorities =
                List.of(new SimpleGrantedAuthority("ROLE_" + token.role().name()));
        return new DefaultOAuth2AuthenticatedPrincipal(
                token.toString(),
                attributes(token),
                authorities);
    }

    private static Map<String, Object> attributes(ApiToken token) {
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("sub", token.id());
        token.sources().ifPresent(sources -> attributes.put(Grants.SOURCES, List.copyOf(sources)));
        return attributes;
    }

    @Bean
    GrantRules grantRules() {
        return new GrantRules();
    }

    @Bean
    SecurityFilterChain rules(
            HttpSecurity http,
            OpaqueTokenIntrospector introspector,
            AuditTrail trail,
            Refusals refused,
            @Qualifier("requestMappingHandlerMapping") RequestMappingHandlerMapping mappings,
            Surroundings surroundings)
            throws Exception {
        AuditFilter audit =
                new AuditFilter(trail, refused, new Endpoints(mappings));
        ProblemAnswers problems = new ProblemAnswers(audit);
        return http.csrf(AbstractHttpConfigurer::disable) // no cookie says who asks
                .requestCache(AbstractHttpConfigurer::disable)
                .formLogin(AbstractHttpConfigurer::disable)
                .httpBasic(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .anonymous(AbstractHttpConfigurer::disable)
                .sessionManagement(
                        session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .authorizeHttpRequests(
                        paths -> {
                            if (surroundings.configuration().server().watch().metricsArePublic()) {
                                paths.requestMatchers(HttpMethod.GET, "/metrics").permitAll();
                            }
                            paths(paths, EndpointRules.of(mappings)).anyRequest().denyAll();
                        })
                .addFilterAfter(audit, AuthorizationFilter.class)
                .exceptionHandling(
                        refusals ->
                                refusals.authenticationEntryPoint(problems)
                                        .accessDeniedHandler(problems))
                .oauth2ResourceServer(
                        server ->
                                server.opaqueToken(token -> token.introspector(introspector))
                                        .authenticationEntryPoint(problems)
                                        .accessDeniedHandler(problems))
                .build();
    }

    private static AuthorizeHttpRequestsConfigurer<HttpSecurity>
                    .AuthorizationManagerRequestMatcherRegistry
            paths(
                    AuthorizeHttpRequestsConfigurer<HttpSecurity>
                                    .AuthorizationManagerRequestMatcherRegistry
                            paths,
                    List<EndpointRules.Rule> rules) {
        for (EndpointRules.Rule rule : rules) {
            var path = paths.requestMatchers(rule.method(), rule.path().getPatternString());
            rule.least()
                    .ifPresentOrElse(
                            least -> path.hasAnyRole(covering(least)), path::permitAll);
        }
        return paths.requestMatchers(HttpMethod.GET, OPEN)
                .permitAll()
                // What was refused before anybody looked who asks is answered as it was.
                .dispatcherTypeMatchers(DispatcherType.ERROR)
                .permitAll();
    }

    private static String[] covering(Role least) {
        return Arrays.stream(Role.values())
                .filter(role -> role.covers(least))
                .map(Role::name)
                .toArray(String[]::new);
    }
}
