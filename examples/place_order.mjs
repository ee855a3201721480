// Place a signed order: node examples/place_order.mjs URL PRIVATE_KEY ACCOUNT MARKET buy|sell SIZE PRICE
// SIZE in the market's smallest units, PRICE in 1e-8 USD (docs/API.md). Needs viem: npm ci --prefix examples
import { privateKeyToAccount } from "viem/accounts";

const [url, secret, account, market, side, size, price] = process.argv.slice(2);
const get = async (path) => (await fetch(url + path)).json();

const types = {
  Order: Object.entries({
    account: "uint40", market: "uint16", isBuy: "bool", size: "uint64", price: "uint64", maxFeePpm: "uint32",
    slot: "uint8", nonce: "uint64", expiry: "uint40", reduceOnly: "bool", timeInForce: "uint8",
  }).map(([name, type]) => ({ name, type })),
};
const { chainId, vault } = await get("/v1/network");
const { second } = await get("/v1/status"); // L1's time, which may differ from yours
const message = {
  account: Number(account), market: Number(market), isBuy: side === "buy", size: BigInt(size), price: BigInt(price),
  maxFeePpm: 1_000, slot: 0, nonce: BigInt(Date.now()), expiry: second + 3600, reduceOnly: false, timeInForce: 0,
};
const signature = await privateKeyToAccount(secret).signTypedData({
  domain: { name: "Optimist", version: "1", chainId, verifyingContract: vault },
  types, primaryType: "Order", message,
});

const body = { type: "order", ...message, signature };
const response = await fetch(url + "/v1/actions", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body, (_, value) => (typeof value === "bigint" ? String(value) : value)), // decimal strings
});
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
