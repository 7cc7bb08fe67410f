package dev.mainstay.server.security;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ServerSettings;
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
import org.springframework.security.config.annotation.web.configurers.HeadersConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.oauth2.server.resource.web.authentication.BearerTokenAuthenticationFilter;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.security.web.header.writers.DelegatingRequestMatcherHeaderWriter;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter;
import org.springframework.security.web.header.writers.StaticHeadersWriter;
import org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;

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
    GrantRules grantRules() {
        return new GrantRules();
    }

    @Bean
    SecurityFilterChain rules(
            HttpSecurity http,
            TokenTable tokens,
            AuditTrail trail,
            Refusals refused,
            @Qualifier("requestMappingHandlerMapping") RequestMappingHandlerMapping mappings,
            Surroundings surroundings)
            throws Exception {
        AuditFilter audit =
                new AuditFilter(trail, refused, new Endpoints(mappings));
        Limits limits =
                new Limits(surroundings.configuration().server().limits(), audit);
        TokenJudge judge =
                new TokenJudge(
                        tokens,
                        surroundings
                                .configuration()
                                .server()
                                .oidc()
                                .map(
                                        oidc ->
                                                new IdentityProvider(
                                                        oidc,
                                                        surroundings
                                                                .ground()
                                                                .clock()
                                                                .withZone(ZoneOffset.UTC))));
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
                .headers(SecurityRules::headers)
                .addFilterBefore(limits.ofStrangers(), BearerTokenAuthenticationFilter.class)
                .addFilterBefore(
                        new ClientCertificates(
                                surroundings
                                        .configuration()
                                        .server()
                                        .tls()
                                        .flatMap(ServerSettings.Tls::clients)
                                        .isPresent(),
                                audit),
                        BearerTokenAuthenticationFilter.class)
                .addFilterBefore(limits.ofCallers(), AuthorizationFilter.class)
                .addFilterAfter(audit, AuthorizationFilter.class)
                .exceptionHandling(
                        refusals ->
                                refusals.authenticationEntryPoint(problems)
                                        .accessDeniedHandler(problems))
                .oauth2ResourceServer(
                        server ->
                                server.authenticationManagerResolver(_ -> judge)
                                        .authenticationEntryPoint(problems)
                                        .accessDeniedHandler(problems))
                .build();
    }

    /// Beside what is usual: an answer is no page, and nobody shows it in one. What the page about
    /// the API needs is left alone.
    private static void headers(HeadersConfigurer<HttpSecurity> headers) {
        headers.referrerPolicy(
                        policy ->
                                policy.policy(
                                        ReferrerPolicyHeaderWriter.ReferrerPolicy.NO_REFERRER))
                .addHeaderWriter(
                        new DelegatingRequestMatcherHeaderWriter(
                                PathPatternRequestMatcher.pathPattern("/api/v1/**"),
                                new StaticHeadersWriter(
                                        "Content-Security-Policy",
                                        "default-src 'none'; frame-ancestors 'none'")));
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
