// A file of its own, because the content security policy allows no script inside the page.
SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#swagger-ui',
  // The badge would ask a server elsewhere.
  validatorUrl: null,
  deepLinking: true,
  supportedSubmitMethods: ['get'],
});
