/**
 * Jest's environment for Node, in a context whose global object is an ordinary one. In the context that Jest makes, each look at a
 * global (`Math`, `Map`, `Number`) calls back into Node, which no optimization removes: simulations took twice as long in there.
 *
 * Time limits that tests, hooks and waits (`until`) name are those of an unloaded machine. They end what hangs and decide nothing:
 * each counts `slowness` times.
 */
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

export default class OrdinaryGlobals extends TestEnvironment {
  #slowness;
  /** A hook begins anew for each test. */
  #stretched = new WeakSet();

  constructor(...given) {
    const [{ projectConfig }] = given;
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(...given);
    } finally {
      vm.createContext = createContext;
    }
    this.#slowness = projectConfig.testEnvironmentOptions.slowness;
    this.global.testSlowness = this.#slowness;
  }

  handleTestEvent({ name, test, hook }) {
    const limited = name === 'test_start' ? test : name === 'hook_start' ? hook : undefined;
    if (limited?.timeout === undefined || this.#stretched.has(limited)) return;
    this.#stretched.add(limited);
    limited.timeout *= this.#slowness;
  }
}
