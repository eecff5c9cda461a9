// Keys of a rollout that tests of experiments build on, as text of a policy.

/** Every rollout needs one, or stages. */
export const split = '    split: { canary: 10 }\n';
/** A view, a purchase with a value from its answer, and a payment that is worth 2.5. */
export const shopEvents = `    events:
      - { name: view, on: { method: GET, path: /item/ } }
      - { name: purchase, on: { method: [POST, PUT], path: [/orders, /b%75y], status: [2xx, 303] }, value: 'json:$.order.lines[0]["the sum"]' }
      - { name: paid, value: 2.5 }
`;
