import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changeTexts,
  differenceText,
  figureText,
  liftText,
  shareText,
} from '../../../src/rollout/experiment-report/numbers.ts';

const style = { blank: ' ', points: ' points' };

test('lifts are written with the digits that matter, and none is written as 0 that is not', () => {
  const written = [0.3, 0.2345678, -0.0148, -0.00123, -0.0000923, 0.00000004, 12.34567, 9.996, 0, -0];
  assert.deepEqual(
    written.map((lift) => liftText(lift, style)),
    ['+30 %', '+23.5 %', '−1.48 %', '−0.12 %', '−0.009 %', '+0.000004 %', '+1,235 %', '+1,000 %', '0 %', '0 %'],
  );
});

test('money has two decimals, and more where a user brings less than a tenth', () => {
  const written = [0, 0.00421, 0.1, 61.2, 1_234.5, 1e12];
  assert.deepEqual(
    written.map((money) => figureText('revenue', money, style)),
    ['0.00', '0.00421', '0.10', '61.20', '1,234.50', '1,000,000,000,000.00'],
  );
  assert.equal(differenceText('value', -0.0042, style), '−0.0042');
  assert.equal(differenceText('value', 1.2, style), '+1.20');
});

test('shares and counts have three digits that matter, however small or large', () => {
  assert.equal(figureText('conversion', 0.0502, style), '5.02 %');
  assert.equal(figureText('conversion', 2e-8, style), '0.000002 %');
  assert.equal(figureText('events', 999.7, style), '1,000');
  assert.equal(shareText(0.082, style), '8.2 %');
  assert.equal(differenceText('retention', -0.0099, style), '−0.99 points');
});

test('a change is a lift where there is one, and else a difference whose unit is named once', () => {
  const found = { difference: -0.0167, lower: -0.187, upper: 0.154 };
  const points = { change: '−1.67 points', lower: '−18.7', upper: '+15.4 points' };
  assert.deepEqual(changeTexts('conversion', { ...found, lift: null }, style), points);
  const lift = { value: -0.2, lower: -0.5, upper: 0.4 };
  assert.deepEqual(changeTexts('conversion', { ...found, lift }, style), {
    change: '−20 %',
    lower: '−50 %',
    upper: '+40 %',
  });
});
