package dev.mainstay.server.security;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.core.DefaultOAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.server.resource.introspection.BadOpaqueTokenException;
import org.springframework.security.oauth2.server.resource.introspection.OpaqueTokenIntrospector;
import org.springframework.security.web.SecurityFilterChain;

import java.util.List;
import java.util.Map;

/// Who may ask for what: everything that is not named here is refused.
@Configuration(proxyBeanMethods = false)
public class SecurityRules {
    private static final String[] ALL = {"VIEWER", "OPERATOR", "ADMINISTRATOR"};
    private static final String[] DOERS = {"OPERATOR", "ADMINISTRATOR"};

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
                "token " + token.id() + " (" + token.name() + ")",
                Map.of("sub", token.id()),
                authorities);
    }

    @Bean
    SecurityFilterChain rules(HttpSecurity http, OpaqueTokenIntrospector introspector)
            throws Exception {
        ProblemAnswers problems = new ProblemAnswers();
        return http.csrf(AbstractHttpConfigurer::disable) // no cookie says who asks
                .requestCache(AbstractHttpConfigurer::disable)
                .formLogin(AbstractHttpConfigurer::disable)
                .httpBasic(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .anonymous(AbstractHttpConfigurer::disable)
                .sessionManagement(
                        session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .authorizeHttpRequests(
                        paths ->
                                paths.requestMatchers("/health", "/health/**")
                                        .permitAll()
                                        .requestMatchers("/api/v1/tokens", "/api/v1/tokens/*")
                                        .hasRole("ADMINISTRATOR")
                                        .requestMatchers(HttpMethod.GET, "/api/v1/**")
                                        .hasAnyRole(ALL)
                                        .requestMatchers(
                                                HttpMethod.POST,
                                                "/api/v1/jobs",
                                                "/api/v1/jobs/*/cancel")
                                        .hasAnyRole(DOERS)
                                        .anyRequest()
                                        .denyAll())
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
}
